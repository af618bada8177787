/** The part of libsvm-js that the examples use; the package ships no types. */
declare module 'libsvm-js/asm.js' {
  export default class SVM {
    static readonly SVM_TYPES: { readonly C_SVC: number };
    static readonly KERNEL_TYPES: { readonly RBF: number };
    static load(serialised: string): SVM;
    constructor(options: { type: number; kernel: number; cost: number; gamma: number; quiet: boolean });
    train(samples: readonly (readonly number[])[], labels: readonly number[]): void;
    predict(samples: readonly (readonly number[])[]): number[];
    serializeModel(): string;
    /** Gives the model's memory back: it lies outside of the garbage collector's reach. */
    free(): void;
  }
}
