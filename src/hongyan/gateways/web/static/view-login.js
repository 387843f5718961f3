// The log-in screen, and the form to change a password.

import { sentence } from './app.js';
import { h, sign, svg, toast, write } from './dom.js';
import { getLanguage, t } from './words.js';

/** Wild geese in their wedge over far hills: the page's one picture. */
export function geese(className) {
  const bird = (x, y, size) => svg('path', { class: 'goose', transform: `translate(${x} ${y}) scale(${size})`, d: 'M-20-5C-12-11-4-8 0 0 4-8 12-11 20-5 12-8 4-4 0 5-4-4-12-8-20-5Z' });
  const wedge = [[200, 64, 1], [164, 84, 0.86], [240, 80, 0.86], [130, 106, 0.74], [282, 98, 0.74], [98, 130, 0.63], [326, 118, 0.63], [68, 156, 0.53]];
  return svg('svg', { class: className, viewBox: '0 0 400 260', 'aria-hidden': 'true' },
    svg('circle', { class: 'sun', cx: 304, cy: 184, r: 25 }),
    ...wedge.map(([x, y, size]) => bird(x, y, size)),
    svg('path', { class: 'hill far', d: 'M0 222C46 190 78 186 116 204S190 176 236 190s78 8 110-8 40-10 54-6v90H0Z' }),
    svg('path', { class: 'hill', d: 'M0 244c60-22 96-24 150-12s84-18 136-12 82 14 114 2v38H0Z' }));
}

function field(label, attributes) {
  const input = h('input', { required: true, ...attributes });
  return { input, node: h('label', { class: 'field' }, h('span', {}, label), input) };
}

export function loginScreen(app, choices) {
  const name = field(t('account'), { name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', autofocus: true });
  const password = field(t('password'), { name: 'password', type: 'password', autocomplete: 'current-password' });
  const error = h('p', { class: 'form-error', role: 'alert' });
  const button = h('button', { class: 'primary wide' }, t('log_in'));
  let countdown = null;

  const free = (text) => {
    clearInterval(countdown);
    button.disabled = false;
    write(button, t('log_in'));
    write(error, text);
  };

  /** Say how long, count down, then say that it is over. */
  const wait = (seconds) => {
    const until = performance.now() + seconds * 1000;
    const show = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      if (left <= 0) return free(t('may_retry'));
      write(error, t('rate_limited', { seconds: left }));
    };
    button.disabled = true;
    write(button, t('log_in'));
    show();
    countdown = setInterval(show, 500);
  };

  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    if (!name.input.value.trim() || !password.input.value) return free(t('needs_both'));
    app.ended = null;
    button.disabled = true;
    write(button, t('logging_in'));
    write(error, '');
    try {
      await app.login(name.input.value.trim(), password.input.value);
    } catch (problem) {
      if (problem.code === 'rate-limited' || problem.status === 429) return wait(problem.retryAfter ?? 5);
      free(sentence(problem, t));
      if (problem.code === 'wrong-password') password.input.select();
    }
  };

  const node = h('main', { class: 'login' },
    h('div', { class: 'corner' },
      h('button', { type: 'button', class: 'quiet', onclick: () => choices.nextLanguage(), lang: getLanguage() === 'zh' ? 'en' : 'zh-CN' }, t('language')),
      themeSign(choices)),
    h('section', { class: 'cover' }, h('h1', { class: 'wordmark' }, '鸿雁'), h('p', { class: 'motto' }, t('motto')), geese('picture')),
    h('form', { class: 'card', onsubmit: submit, novalidate: true, 'aria-label': t('log_in') }, h('h2', {}, t('log_in')), name.node, password.node, error, button));

  return {
    node,
    shown: () => name.input.focus(),
    render() {
      if (app.ended && !error.textContent) write(error, t(app.ended));
      themeShown(node, choices);
    },
  };
}

export const themeSign = (choices) => sign(choices.theme, '', () => choices.nextTheme(), { 'data-theme-switch': true });

/** The switch shows the theme that is on now. */
export function themeShown(node, choices) {
  const button = node.querySelector('[data-theme-switch]');
  const label = t('theme', { mode: t(`theme_${choices.theme}`) });
  if (button.title === label) return;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.replaceChildren(sign(choices.theme, '').firstChild);
}

export function passwordDialog(app) {
  const old = field(t('password_old'), { type: 'password', autocomplete: 'current-password' });
  const fresh = field(t('password_new'), { type: 'password', autocomplete: 'new-password' });
  const again = field(t('password_again'), { type: 'password', autocomplete: 'new-password' });
  const error = h('p', { class: 'form-error', role: 'alert' });
  const button = h('button', { class: 'primary' }, t('save'));
  const submit = async (event) => {
    event.preventDefault();
    if (fresh.input.value !== again.input.value) return write(error, t('password_differs'));
    button.disabled = true;
    try {
      await app.changePassword(old.input.value, fresh.input.value);
      toast(t('password_done'));
      dialog.close();
    } catch (problem) {
      write(error, problem.code === 'wrong-password' ? t('password_wrong_old') : sentence(problem, t));
    }
    button.disabled = false;
  };
  const dialog = modal(t('password_change'),
    h('form', { class: 'stack', onsubmit: submit, novalidate: true }, old.node, fresh.node, again.node, error,
      h('div', { class: 'acts' }, h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, t('cancel')), button)));
  return dialog;
}

/** A dialog that is gone when it is closed; Esc closes it, and so does a click beside it. */
export function modal(title, ...content) {
  const dialog = h('dialog', { 'aria-label': title, class: 'modal' },
    h('div', { class: 'modal-body' }, h('header', {}, h('h2', {}, title), sign('close', t('close'), () => dialog.close())), ...content));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('mousedown', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
