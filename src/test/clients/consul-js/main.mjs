// Registers a service with a TTL check, and answers each line of standard input with a line of JSON. Arguments: port of
// Consul, token, name, port, key to follow.
import { createInterface } from 'node:readline';
import Consul from 'consul';

const [consulPort, token, name, port, key] = process.argv.slice(2);
const consul = new Consul({ host: '127.0.0.1', port: Number(consulPort), defaults: { token } });
const id = `${name}:${port}`;
const register = () => consul.agent.service.register({
  id, name, address: '127.0.0.1', port: Number(port), tags: ['test'], meta: { zone: 'test' },
  check: { ttl: '5s' },
});
await register();
const beat = setInterval(() => consul.agent.check.pass(`service:${id}`).catch(register).catch(() => {}), 1000);
await consul.agent.check.pass(`service:${id}`);
const follow = (method, options, change) => {
  const watch = consul.watch({ method, options, backoffFactor: 100, backoffMax: 1000 });
  watch.on('change', change);
  watch.on('error', () => {});
  return watch;
};
let instances = {};
let values = {};
const watches = [
  follow(consul.health.service, { service: name, passing: true }, (entries) => {
    instances = Object.fromEntries(entries.map((e) => [e.Service.ID, `${e.Service.Address}:${e.Service.Port}`]));
  }),
  follow(consul.kv.get, { key, recurse: true }, (entries) => {
    values = Object.fromEntries((entries ?? []).map((e) => [e.Key, e.Value]));
  }),
];
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  const [question, first, second] = line.split(' ');
  if (question === 'instances') {
    console.log(JSON.stringify({ value: instances }));
  } else if (question === 'watched') {
    console.log(JSON.stringify({ value: values[first] ?? '' }));
  } else if (question === 'put') {
    await consul.kv.set(first, second);
    console.log(JSON.stringify({ value: (await consul.kv.get(first)).Value }));
  } else {
    clearInterval(beat);
    watches.forEach((watch) => watch.end());
    await consul.agent.service.deregister(id);
    break;
  }
}
process.exit(0);
