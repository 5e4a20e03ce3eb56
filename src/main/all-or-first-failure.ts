/** Like Promise.all, but the others have ended too when it throws the first failure: so that nothing is still starting. */
export async function allOrFirstFailure<T extends readonly unknown[]>(
  work: [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work)
  return (await Promise.all(work)) as unknown as T
}
