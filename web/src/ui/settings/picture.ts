// A picture of oneself: made small here, so that little is uploaded.

import { type Api, Problem, Unreachable } from '@/link/api';

const SIDE = 512;
const QUALITY = 0.9;

/** The square in the middle. Null: no picture that this browser can read. */
export async function cropped(file: Blob): Promise<Blob | null> {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  const side = Math.min(picture.width, picture.height);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.min(SIDE, side);
  const brush = canvas.getContext('2d');
  if (!brush) return null;
  brush.imageSmoothingQuality = 'high';
  brush.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
  picture.close();
  // A browser that cannot write WebP gives a PNG, which the server takes as well.
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', QUALITY));
}

/** Tells how much is there, from 0 to 1: what `fetch` cannot. Throws Problem and Unreachable. */
export function uploaded(api: Api, picture: Blob, progress: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', api.url('v1/me/avatar'));
    request.responseType = 'json';
    request.setRequestHeader('Authorization', `Bearer ${api.token ?? ''}`);
    request.setRequestHeader('Content-Type', picture.type);
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onload = () => {
      if (request.status < 300) resolve((request.response as { avatar: string }).avatar);
      else reject(new Problem(request.status, request.response));
    };
    request.onerror = () => reject(new Unreachable('the upload broke off'));
    request.send(picture);
  });
}
