export const Exit = { done: 0, error: 1, usage: 2, mismatch: 3, interrupted: 4 } as const
