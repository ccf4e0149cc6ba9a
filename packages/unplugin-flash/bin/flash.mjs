#!/usr/bin/env node
// Beside the sources, so that npm finds something to link before anything is built.
import '../dist/cli.mjs'
