// Registers a service with a TTL check, and answers each line of standard input with a line of JSON. Arguments: port of
// Consul, token, name, port.
import { createInterface } from 'node:readline';
import Consul from 'consul';

const [consulPort, token, name, port] = process.argv.slice(2);
const consul = new Consul({ host: '127.0.0.1', port: Number(consulPort), defaults: { token } });
const id = `${name}:${port}`;
const register = () => consul.agent.service.register({
  id, name, address: '127.0.0.1', port: Number(port), tags: ['test'], meta: { zone: 'test' },
  check: { ttl: '5s' },
});
await register();
const beat = setInterval(() => consul.agent.check.pass(`service:${id}`).catch(register), 1000);
await consul.agent.check.pass(`service:${id}`);
const watch = consul.watch({ method: consul.health.service, options: { service: name, passing: true }, backoffFactor: 100 });
let watched = {};
watch.on('change', (entries) => {
  watched = Object.fromEntries(entries.map((e) => [e.Service.ID, `${e.Service.Address}:${e.Service.Port}`]));
  console.log(JSON.stringify({ event: 'change', instances: watched }));
});
watch.on('error', () => {});
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith('instances')) {
    console.log(JSON.stringify({ value: watched }));
  } else {
    clearInterval(beat);
    watch.end();
    await consul.agent.service.deregister(id);
    break;
  }
}
process.exit(0);
