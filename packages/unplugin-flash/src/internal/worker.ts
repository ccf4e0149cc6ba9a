import '@flash/worker/local'
