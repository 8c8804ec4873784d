// Builds the page into dist/ with every asset under /assets/, so the API can serve it as static files.
// `npm run dev` passes API and socket calls on to TELEMETRA_API_URL.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, loadEnv } from 'vite';

export default defineConfig(({ mode }) => {
  const { TELEMETRA_API_URL: api = 'http://127.0.0.1:8000' } = loadEnv(mode, '.', 'TELEMETRA_');
  return {
    plugins: [svelte()],
    build: { target: 'es2022', assetsDir: 'assets', assetsInlineLimit: 0, modulePreload: false },
    server: {
      host: '127.0.0.1',
      proxy: { '/api': api, '/docs': api, '/openapi.json': api, '/ws': { target: api, ws: true } },
    },
  };
});
