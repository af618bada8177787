/** What bundles have in place of hook-options.ts: hooks were checked before they were sent. */
export const checkHooks = (): void => undefined;
