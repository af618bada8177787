/** What an electron says of the function that it wants: `executor: { type: 'http', url, … }`, as a schema. Not here: which URLs are allowed (allowed.ts). */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What `executor: { type: 'http', … }` takes. */
export interface HttpOptions {
  readonly url: string;
  /** `job`: the job is the request's body and its answer a stream (`httpHandler`). `lambda`: both as base64 in JSON, as the invoke API of AWS Lambda has it (`lambdaHandler`). @default job */
  readonly format: 'job' | 'lambda';
}

const names = ['url', 'format'];

export const httpOptions: StandardSchemaV1<unknown, HttpOptions> = {
  '~standard': {
    version: 1,
    vendor: 'polaron',
    validate: (given) => {
      const wrong = (name: string, message: string): { readonly issues: readonly StandardSchemaV1.Issue[] } => ({
        issues: [{ message, path: [name] }],
      });
      const fields = new Map<string, unknown>(typeof given === 'object' && given !== null ? Object.entries(given) : []);
      for (const name of fields.keys())
        if (!names.includes(name)) return wrong(name, `is none; it takes ${names.join(', ')}`);
      const url = fields.get('url');
      const format = fields.get('format') ?? 'job';
      if (typeof url !== 'string' || !URL.canParse(url)) return wrong('url', 'expected the URL of a function');
      if (format !== 'job' && format !== 'lambda') return wrong('format', 'expected "job" or "lambda"');
      return { value: { url, format } };
    },
  },
};
