// Evaluates flags as each line of standard input asks, and writes each result and each event as a line of JSON.
import { createInterface } from 'node:readline';
import { EventSource } from 'eventsource';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

globalThis.EventSource = EventSource;
const [baseUrl, key] = process.argv.slice(2);
const headers = key ? [['X-API-Key', key]] : [];
await OpenFeature.setContext({ targetingKey: 'nobody' });
// no polling: what changes is heard of by the stream alone
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, headers, pollInterval: -1 }));
const client = OpenFeature.getClient();
for (const event of [ProviderEvents.ConfigurationChanged, ProviderEvents.Stale, ProviderEvents.Error]) {
  client.addHandler(event, () => console.log(JSON.stringify({ event })));
}
const ask = {
  boolean: (a) => client.getBooleanDetails(a.flag, a.default),
  string: (a) => client.getStringDetails(a.flag, a.default),
  integer: (a) => client.getNumberDetails(a.flag, a.default),
  number: (a) => client.getNumberDetails(a.flag, a.default),
  object: (a) => client.getObjectDetails(a.flag, {}),
};
let context = '{"targetingKey":"nobody"}';
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const wanted = JSON.stringify(asked.context);
  if (wanted !== context) {
    await OpenFeature.setContext(asked.context);
    context = wanted;
  }
  const d = ask[asked.type](asked);
  console.log(JSON.stringify({
    value: d.value, variant: d.variant ?? null, reason: d.reason ?? null, error: d.errorCode ?? null,
  }));
}
process.exit(0);
