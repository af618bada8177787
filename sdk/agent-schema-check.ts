/** What bundles have in place of schema-check.ts: schemas were checked before they were sent. */
export const checkSchemas = (): void => undefined;
