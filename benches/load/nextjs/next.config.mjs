import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export default {
  output: 'standalone',
  // This folder, not the one of another lock file above it.
  outputFileTracingRoot: dirname(fileURLToPath(import.meta.url)),
  turbopack: { root: dirname(fileURLToPath(import.meta.url)) },
};
