// Builds the page into dist/ with every asset under /assets/, so the API can serve it as static files.
// `npm run dev` passes API and socket calls on to TELEMETRA_API_URL.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, loadEnv } from 'vite';

/** What every view needs is one file, however many views share which part of it: the first page is
    there after few requests. */
const BASE =
  /node_modules.(svelte|esm-env|clsx|openapi-fetch)|src.lib.(format|http|plurals|problem|router|settings|text|store.(access|clock))\.|components.Icon/;

export default defineConfig(({ mode }) => {
  const { TELEMETRA_API_URL: api = 'http://127.0.0.1:8000' } = loadEnv(mode, '.', 'TELEMETRA_');
  return {
    plugins: [svelte()],
    build: {
      target: 'es2022',
      assetsDir: 'assets',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', test: BASE }] } } },
    },
    server: {
      host: '127.0.0.1',
      proxy: { '/api': api, '/docs': api, '/openapi.json': api, '/ws': { target: api, ws: true } },
    },
  };
});
