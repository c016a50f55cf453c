// SPDX-License-Identifier: Apache-2.0
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { pack } from './build/pack';

// OCP=http://127.0.0.1:8080 npm run dev: the pages from here, the API from that server.
const server = process.env.OCP ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), pack()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: scripts, and a file is cached by itself
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
  server: { proxy: Object.fromEntries(['/api', '/livez', '/members'].map((path) => [path, server])) },
});
