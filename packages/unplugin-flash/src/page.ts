export * from '@flash/runtime/page'
