// Registers an instance, and answers each line of standard input with a line of JSON. Arguments: address, name, port.
import { createInterface } from 'node:readline';
import eureka from 'eureka-js-client';

const [address, name, port] = process.argv.slice(2);
const url = new URL(address);
const client = new eureka.Eureka({
  shouldUseDelta: true,
  instance: {
    app: name,
    instanceId: `${name}:${port}`,
    hostName: '127.0.0.1',
    ipAddr: '127.0.0.1',
    port: { $: Number(port), '@enabled': true },
    vipAddress: name,
    statusPageUrl: `http://127.0.0.1:${port}/info`,
    leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: 5 },
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    metadata: { zone: 'test' },
  },
  eureka: {
    serviceUrls: { default: [`${url.origin}${url.pathname}apps/`] },
    availabilityZones: { default: ['default'] },
    preferSameZone: false,
    heartbeatInterval: 1000,
    registryFetchInterval: 1000,
    fetchMetadata: false,
  },
  requestMiddleware: (options, done) => {
    if (url.password) {
      options.headers = { ...options.headers, 'X-API-Key': url.password };
    }
    done(options);
  },
});
await new Promise((done, failed) => client.start((error) => (error ? failed(error) : done())));
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ');
  if (command === 'instances') {
    const found = client.getInstancesByAppId(argument) ?? [];
    console.log(JSON.stringify({ value: Object.fromEntries(found.map((i) => [i.instanceId, i.status])) }));
  } else {
    await new Promise((done) => client.stop(done));
    break;
  }
}
process.exit(0);
