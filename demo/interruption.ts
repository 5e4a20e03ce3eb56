/** Aborts at the first Ctrl-C or SIGTERM; until then the demo would leave its control plane behind by dying of one. */
export function watchInterruption(): AbortSignal {
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)))
  return interrupted.signal
}

/** Resolves when the signal aborts, at once where it has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
