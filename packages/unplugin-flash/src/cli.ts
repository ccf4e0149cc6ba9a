import { main } from '@flash/cli'
import manifest from '../package.json' with { type: 'json' }

process.exit(await main(process.argv.slice(2), manifest.version))
