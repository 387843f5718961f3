// Whether the drawer with the details of the conversation is out. It stays so from one conversation to the next.

import { shallowRef } from 'vue';

export const details = shallowRef(false);

export function toggleDetails(): void {
  details.value = !details.value;
}
