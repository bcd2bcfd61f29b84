import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.PLAYGROUND_SERVER ?? 'http://127.0.0.1:8000';

/** The bundle goes to `static/dist` with `manifest.json` beside it; Django's template reads the entry of each page from there. */
export default defineConfig({
  base: '/static/dist/',
  plugins: [react(), tailwindcss()],
  build: {
    outDir: '../static/dist',
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: ['src/main.tsx', 'src/lab/main.tsx'] },
  },
  // `npm run dev` serves the page with hot reload beside a running `manage.py play`, which answers for everything else.
  server: {
    proxy: {
      '/api': { target: server, changeOrigin: true },
      '/ws': { target: server, changeOrigin: true, ws: true },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
