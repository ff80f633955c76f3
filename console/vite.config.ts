import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { documents } from './documents.ts'

export default defineConfig({
  root: import.meta.dirname,
  // Relative: a reverse proxy may offer the console below a path.
  base: './',
  plugins: [react(), documents()],
  build: {
    emptyOutDir: true,
    // Inlined files would need `data:` in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
})
