export * from '@flash/runtime'
