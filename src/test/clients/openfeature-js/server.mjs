// Evaluates flags as each line of standard input asks, and writes each result as a line of JSON.
import { createInterface } from 'node:readline';
import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';

const [baseUrl, key] = process.argv.slice(2);
const headers = key ? [['X-API-Key', key]] : [];
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl, headers }));
const client = OpenFeature.getClient();
const ask = {
  boolean: (a) => client.getBooleanDetails(a.flag, a.default, a.context),
  string: (a) => client.getStringDetails(a.flag, a.default, a.context),
  integer: (a) => client.getNumberDetails(a.flag, a.default, a.context),
  number: (a) => client.getNumberDetails(a.flag, a.default, a.context),
  object: (a) => client.getObjectDetails(a.flag, {}, a.context),
};
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const d = await ask[asked.type](asked);
  console.log(JSON.stringify({
    value: d.value, variant: d.variant ?? null, reason: d.reason ?? null, error: d.errorCode ?? null,
  }));
}
process.exit(0);
