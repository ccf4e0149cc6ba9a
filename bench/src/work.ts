export interface Order {
  customer: string
  lines: { article: string; count: number; price: number }[]
}

/** The little work of a warm call, the same wherever it runs. */
export function price(order: Order) {
  const total = order.lines.reduce((sum, { count, price }) => sum + count * price, 0)
  return { customer: order.customer, lines: order.lines.length, total }
}
