// The beginning of the page that other sites show in a frame: docs/guide/embedding.md.

import '@/embed/memory';
import './styles/tokens.css';
import './styles/base.css';

import { createApp } from 'vue';

import { dress } from '@/app/settings';
import EmbedPage from '@/embed/EmbedPage.vue';

dress();
createApp(EmbedPage).mount('#app');
