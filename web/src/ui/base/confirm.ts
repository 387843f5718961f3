// Asked only where something cannot be undone: `if (await confirm({...}))`.

import { shallowRef } from 'vue';

export interface Question {
  readonly title: string;
  readonly text?: string | undefined;
  /** What the button that does it says. */
  readonly act: string;
  readonly danger?: boolean | undefined;
}

export const question = shallowRef<(Question & { readonly answer: (yes: boolean) => void }) | null>(null);

export function confirm(asked: Question): Promise<boolean> {
  question.value?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}
