import { fileURLToPath } from 'node:url'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const kAddon = ['node-gyp-build', 'module', 'node:module'].map((name) => ({
  name,
  message: 'Only src/native.ts loads the addon.',
}))
// Types may be named anywhere.
const kHttp2 = ['http2', 'node:http2'].map((name) => ({
  name,
  message: 'Only src/http2 and src/demo use node:http2.',
  allowTypeImports: true,
}))
const imports = (...paths) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { paths: paths.flat() }],
})

// No plugin speaks for the JavaScript files, so their globals stand here.
const kNodeGlobals = 'process console Buffer URL URLSearchParams AbortController AbortSignal fetch'
const kTimerGlobals = 'setTimeout clearTimeout setInterval clearInterval setImmediate performance'
const kPageGlobals =
  'window document location EventSource WebSocket addEventListener navigator FormData'
const globals = (...names) =>
  Object.fromEntries(names.flatMap((text) => text.split(' ')).map((name) => [name, 'readonly']))

export default defineConfig(
  { ignores: ['**/node_modules/', 'build/', 'dist/', 'prebuilds/', '.cache/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', 500],
      eqeqeq: 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-fallthrough': 'error',
      'no-irregular-whitespace': 'error',
      'no-self-compare': 'error',
      'no-unsafe-finally': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: '.config/tsconfig.check.json',
        tsconfigRootDir: fileURLToPath(new URL('..', import.meta.url)),
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.base],
    languageOptions: { globals: globals(kNodeGlobals, kTimerGlobals, kPageGlobals) },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
  { files: ['src/**/*.ts'], rules: imports(kAddon, kHttp2) },
  { files: ['src/http2/**/*.ts', 'src/demo/**/*.ts'], rules: imports(kAddon) },
  { files: ['src/native.ts'], rules: imports(kHttp2) },
  // The addon's functions know no `this`.
  { files: ['src/outbox.ts'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
