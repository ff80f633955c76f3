/** The nonce with which the Content-Security-Policy allows style elements that libraries make. */
export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

// Dialogs stop the page from scrolling with a style element; the library that makes it (get-nonce) looks for the nonce here.
Object.assign(globalThis, { __webpack_nonce__: styleNonce })
