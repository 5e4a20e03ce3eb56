// Figures of itself in Prometheus' text format: requests by route and status, and how long they took.
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const requests = new Map()
const buckets = bounds.map(() => 0)
let count = 0
let sum = 0
let orders = 0

exports.observe = (route, status, seconds) => {
  const labels = `route="${route}",status="${status}"`
  requests.set(labels, (requests.get(labels) ?? 0) + 1)
  bounds.forEach((bound, i) => {
    if (seconds <= bound) buckets[i] += 1
  })
  count += 1
  sum += seconds
}

exports.ordered = () => {
  orders += 1
}

exports.text = () =>
  [
    '# TYPE shop_requests_total counter',
    ...[...requests].map(([labels, value]) => `shop_requests_total{${labels}} ${value}`),
    '# TYPE shop_orders_total counter',
    `shop_orders_total ${orders}`,
    '# TYPE shop_request_seconds histogram',
    ...bounds.map((bound, i) => `shop_request_seconds_bucket{le="${bound}"} ${buckets[i]}`),
    `shop_request_seconds_bucket{le="+Inf"} ${count}`,
    `shop_request_seconds_sum ${sum}`,
    `shop_request_seconds_count ${count}`,
    '',
  ].join('\n')
