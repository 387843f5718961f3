// The sign of a file, by the end of its name.

import { File, FileArchive, FileImage, FileMusic, FilePlay, FileText } from '@lucide/vue';
import type { Component } from 'vue';

const SIGNS: readonly (readonly [RegExp, Component])[] = [
  [/\.(?:png|jpe?g|gif|webp|avif|svg|heic|bmp|tiff?)$/i, FileImage],
  [/\.(?:mp4|m4v|mov|webm|mkv|avi)$/i, FilePlay],
  [/\.(?:mp3|m4a|ogg|oga|opus|wav|flac|aac)$/i, FileMusic],
  [/\.(?:zip|7z|rar|tar|t?gz|xz|bz2|zst)$/i, FileArchive],
  [/\.(?:pdf|docx?|od[tsp]|xlsx?|pptx?|txt|md|csv|rtf)$/i, FileText],
];

export const signOf = (name: string): Component => SIGNS.find(([ends]) => ends.test(name))?.[1] ?? File;
