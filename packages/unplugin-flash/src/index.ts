export * from '@flash/sdk'
