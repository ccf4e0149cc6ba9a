const [major] = process.versions.node.split('.').map(Number)
if (major < 24) {
  console.error(`The benchmarks need Node 24, this is ${process.version}: start them with "npm run bench".`)
  process.exit(1)
}
await import('./src/main.ts')
