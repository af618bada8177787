/** Types of scripts/reference.mjs, for the test. */
export interface PublicExport {
  readonly name: string;
  readonly kind: 'value' | 'type';
  readonly doc: string;
  readonly text: string;
  readonly members: readonly { readonly name: string; readonly doc: string }[];
}
export declare function publicExports(): { readonly name: string; readonly exports: readonly PublicExport[] }[];
export declare function referencePages(): { readonly file: string; readonly text: string }[];
