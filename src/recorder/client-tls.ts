import type net from "node:net";
import tls from "node:tls";

/**
 * The encrypted side of a client's socket, whose listeners go; `first` are bytes that were read from it already.
 * `onFailure` is told why no TLS came about.
 */
export function serveTls(
  plain: net.Socket,
  first: Buffer,
  secureContext: tls.SecureContext,
  onFailure: (reason: string) => void,
): tls.TLSSocket {
  plain.removeAllListeners("data").removeAllListeners("drain").removeAllListeners("close");
  if (first.length > 0) {
    // A flowing stream would drop what it is given back.
    plain.pause();
    plain.unshift(first);
  }
  // libpq demands ALPN where it begins with TLS directly (sslnegotiation=direct).
  const secure = new tls.TLSSocket(plain, { isServer: true, secureContext, ALPNProtocols: ["postgresql"] });
  let isSettled = false;
  const fail = (reason: string) => {
    if (isSettled) return;
    isSettled = true;
    onFailure(
      `TLS with the migration tool failed (${reason}); the recorder's certificate is its own, so ` +
        "sslmode=verify-full and verify-ca cannot succeed: use sslmode=require",
    );
  };
  secure.on("secure", () => {
    isSettled = true;
  });
  secure.on("error", (error: Error & { readonly reason?: string }) => fail(reasonOf(error)));
  secure.on("close", () => fail("the tool closed the connection"));
  return secure;
}

/** OpenSSL's text is `…:SSL routines:<function>:<reason>:<file>:…`. */
function reasonOf(error: Error & { readonly reason?: string }): string {
  return error.reason ?? /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1] ?? error.message;
}
