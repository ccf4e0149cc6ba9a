export * from '@flash/server/calls'
