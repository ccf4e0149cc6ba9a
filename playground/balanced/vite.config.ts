import { flash } from 'unplugin-flash/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [flash()],
  server: { host: '127.0.0.1' },
})
