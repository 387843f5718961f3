import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** All that the client begins with, but the beginnings themselves: that of the frame has to do something before the rest is there. */
const BASE = /\/web\/(?:node_modules\/|src\/(?!main\.ts|early\.ts|sw\.ts|embed))/;
/** What the early script is made of. */
const EARLY = /\/web\/src\/(?:app\/(?:choices|route|store\/early|store\/session)|link\/(?:api|cache|tabs)|core\/(?:run|amend|notify|unread)|words\/parts)\.ts/;

/** Tells the worker which files it keeps: all that the client may load, but for what is large and seldom wanted. */
const files: Plugin = {
  name: 'files-of-the-worker',
  generateBundle(_, bundle) {
    const parts = Object.values(bundle);
    const worker = parts.find((part) => part.fileName === 'sw.js');
    if (worker?.type !== 'chunk') return;
    const seldom = (part: (typeof parts)[number]): boolean => part.type === 'chunk' && part.isDynamicEntry && part.code.length > 200_000;
    const assets = parts.filter((part) => part.fileName.startsWith('assets/') && !seldom(part));
    const others = readdirSync(here('./public'));
    const kept = [...assets.map(({ fileName }) => fileName), ...others].map((name) => `/${name}`).sort();
    const hash = createHash('sha256').update(kept.join()); // an asset's name is one of what is in it
    for (const path of ['./index.html', ...others.map((name) => `./public/${name}`)]) hash.update(readFileSync(here(path)));
    const build = hash.digest('hex').slice(0, 12);
    worker.code = worker.code.replaceAll('__FILES__', JSON.stringify(kept)).replaceAll('__BUILD__', JSON.stringify(build));
  },
};

/** Names the script that runs before the others in the page; it is an entry of its own, and no part of `index.html`. */
const early: Plugin = {
  name: 'early-script',
  transformIndexHtml: {
    order: 'post',
    handler(_, { bundle, path }) {
      const part = Object.values(bundle ?? {}).find((one) => one.type === 'chunk' && one.isEntry && one.name === 'early');
      if (!part || path !== '/index.html') return [];
      return [{ tag: 'script', attrs: { type: 'module', async: true, crossorigin: true, src: `/${part.fileName}` }, injectTo: 'head-prepend' }];
    },
  },
};

export default defineConfig({
  plugins: [vue(), files, early],
  resolve: { alias: { '@': here('./src'), entities: here('./src/text/entities.ts') } },
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: 'es2022',
    outDir: here('../src/hongyan/gateways/web/client'),
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the pages allows no data: but for pictures
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: here('./index.html'), embed: here('./embed.html'), early: here('./src/early.ts'), sw: here('./src/sw.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        codeSplitting: {
          groups: [
            { name: 'basis', test: EARLY, priority: 2 },
            { name: 'client', tags: ['$initial'], test: BASE }, // one file, not thirty
            { name: 'loading', test: /preload-helper/, priority: 1 }, // apart from it, for the same reason
          ],
        },
      },
    },
  },
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:8440', ws: true } } },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
