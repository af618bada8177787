/** A small C library, compiled where there is a compiler. Without one the tests have the system's own libraries. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = `
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
double sum(const double *x, int32_t n) { double s = 0; for (int i = 0; i < n; i++) s += x[i]; return s; }
void scale(float *x, int32_t n, float by) { for (int i = 0; i < n; i++) x[i] *= by; }
int32_t squares(int64_t *out, int32_t n) { for (int i = 0; i < n; i++) out[i] = (int64_t)i * i; return n; }
void split(const uint8_t *in, int32_t n, uint8_t *low, uint8_t *high) { for (int i = 0; i < n; i++) { low[i] = in[i] & 15; high[i] = in[i] >> 4; } }
uint64_t big(uint64_t x) { return x + 1; }
bool negate(bool x) { return !x; }
const char *greet(const char *name) { static char text[100]; if (!name) return 0; snprintf(text, 100, "hello %s", name); return text; }
int8_t byte(int8_t x) { return x; }
void says(const char *text) { printf("C says %s\\n", text); }
void crash(void) { *(volatile int *)0 = 1; }
`;

/** Its path, in a folder of the system's for such; undefined where it can't be compiled. */
export function compiledLibrary(): string | undefined {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'polaron-c-'));
    const [source, library] = [join(folder, 'small.c'), join(folder, 'libsmall.so')];
    writeFileSync(source, SOURCE);
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source], { stdio: 'ignore' });
    return library;
  } catch {
    return undefined;
  }
}

/** The C library and that of mathematics, by the names that this system's loader knows. */
export const [libc, libm] =
  process.platform === 'darwin' ? ['libSystem.dylib', 'libSystem.dylib'] : ['libc.so.6', 'libm.so.6'];
