/** What the SDK's functions need of a hub: its verbs and its values, over one connection. */
import { ApiClient } from './api.ts';
import { Blobs } from './blobs.ts';
import type { Connection } from './connection.ts';

export interface Hub {
  readonly connection: Connection;
  readonly api: ApiClient;
  readonly blobs: Blobs;
}

export function hubOn(connection: Connection): Hub {
  const api = new ApiClient(connection);
  return { connection, api, blobs: new Blobs(api) };
}
