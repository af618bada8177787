/** What bundles have in place of definition-checks.ts: definitions were looked at before they were sent. */
export const checkHooks = (): void => undefined;
export const notePackages = (): void => undefined;
