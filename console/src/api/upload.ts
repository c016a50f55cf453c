// SPDX-License-Identifier: Apache-2.0
// Large files on their way to the server: by XMLHttpRequest, since fetch does not say how far it has come.
import { headers, nobody, outcome } from './call';
import { newKey } from './repeat';

interface Options {
  /** Bytes of the file that are on their way. */
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

/** Sends one file as the part "file" of a form; what the server answers. */
export function upload<T>(path: string, file: File, { onProgress, signal }: Options): Promise<T> {
  const form = new FormData();
  form.append('file', file);
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('POST', path);
    for (const [name, value] of Object.entries(headers('post', undefined, newKey())))
      request.setRequestHeader(name, value);
    request.upload.onprogress = (e) => onProgress(Math.min(e.loaded, file.size));
    request.onload = () => {
      try {
        resolve(outcome(request.status, request.responseText, (name) => request.getResponseHeader(name)).data as T);
      } catch (error) {
        reject(error as Error);
      }
    };
    request.onerror = () => reject(nobody());
    request.onabort = () => reject(signal.reason as Error);
    request.onloadend = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    request.send(form);
  });
}
