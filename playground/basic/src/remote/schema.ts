import { remote } from 'unplugin-flash'
import { z } from 'zod'

const Order = z.object({
  item: z.string().trim().min(1),
  quantity: z.number().int().min(1).max(99),
})
const Quote = z.object({
  text: z.string(),
  total: z.number().positive(),
})

// Both are checked on the worker: what comes in and what goes out.
export const quote = remote(
  { cpu: 'cpu3g-2-8', input: Order, output: Quote },
  async ({ item, quantity }) => ({
    text: `${quantity} × ${item}`,
    total: quantity * 2.5,
  }),
)
