import { fileURLToPath } from 'node:url';

import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': here('./src'), entities: here('./src/text/entities.ts') } },
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: 'es2022',
    outDir: here('../src/hongyan/gateways/web/client'),
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the pages allows no data: but for pictures
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: here('./index.html') },
      output: { entryFileNames: 'assets/[name]-[hash].js' },
    },
  },
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:8440', ws: true } } },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
