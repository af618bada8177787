/** Signature Version 4 against the signatures that AWS has published. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { signatureHeaders } from '../../../executors/http/sig-v4.ts';

interface Vectors {
  readonly at: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly cases: readonly {
    readonly name: string;
    readonly method?: string;
    readonly host?: string;
    readonly service?: string;
    readonly target: string;
    readonly headers?: readonly (readonly [string, string])[];
    readonly body?: string;
    readonly sessionToken?: string;
    readonly signature: string;
  }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../../fixtures/sig-v4.json', import.meta.url), 'utf8'));

describe('a signed request has the signature that AWS published', () => {
  const { at, accessKeyId, secretAccessKey, region, cases } = vectors;
  it.each(cases)('$name', (c) => {
    const { method = 'GET', host = 'example.amazonaws.com', service = 'service', headers = [], body = '' } = c;
    const credentials = { accessKeyId, secretAccessKey };
    const { authorization } = signatureHeaders(
      { method, target: c.target, headers: [['Host', host], ...headers], body },
      {
        credentials: c.sessionToken === undefined ? credentials : { ...credentials, sessionToken: c.sessionToken },
        region,
        service,
        at: Date.parse(at),
      },
    );
    expect(authorization).toContain(`Signature=${c.signature}`);
    expect(authorization).toContain(`Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request`);
  });
});
