/** On a page and in a bundle there are no files of this package. */
export const ownFile = (_path: string): Uint8Array<ArrayBuffer> | undefined => undefined
