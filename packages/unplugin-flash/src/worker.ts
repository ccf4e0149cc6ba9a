export * from '@flash/worker/handler'
