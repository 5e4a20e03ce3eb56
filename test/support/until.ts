/** Waits until something holds; throws after `timeout` milliseconds. For tests, which never sleep a fixed time. */
export async function until(holds: () => boolean | Promise<boolean>, timeout = 120_000): Promise<void> {
  for (const end = Date.now() + timeout; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`not so within ${timeout} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
