import { defineConfig, type UserConfig } from 'tsdown'

const shared: UserConfig = {
  platform: 'node',
  target: 'node20.19',
  shims: true, // import.meta.url, by which the engine finds ONNX Runtime, in the CommonJS build too
  outDir: 'dist',
  clean: false, // three builds share the folder; `npm run build` empties it first
  fixedExtension: true,
  hash: false,
  logLevel: 'warn',
  // comments stay in the declarations, where editors show them
  outputOptions: { comments: { jsdoc: false } },
}

export default defineConfig([
  { ...shared, entry: { index: 'src/index.ts' }, format: ['esm', 'cjs'], dts: true },
  {
    ...shared,
    entry: { cli: 'src/cli/main.ts' },
    format: 'esm',
    dts: false,
    // The command, and the examples that it runs, use the package's front door, and so the same copy of everything that a
    // program in the same process uses.
    plugins: [
      {
        name: 'front-door',
        resolveId: (source: string) =>
          /^(\.\.\/)+index$|^ts-trainer$/.test(source) ? { id: './index.mjs', external: true } : undefined,
      },
    ],
  },
])
