/* referrald: keeps what brought the visitor (ref, ref_at, click_id, utm_*) first-party, and
   fills form fields so named. data-parameter="via", data-cookie="partner" and data-days="60" on
   the script's tag change the names and the days.
   With Global Privacy Control nothing is kept: only this address's own values are filled in. */
(function (w, d) {
  'use strict';
  var tag = (d.currentScript || {}).dataset || {};
  var NAME = (tag.parameter || 'ref').toLowerCase();
  var KEY = /^[\w-]{1,40}$/.test(tag.cookie || '') ? tag.cookie : 'referral';
  var DAYS = tag.days > 0 ? Math.min(+tag.days, 400) : 90, MAX = 10, COOKIE = 3800;
  var UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'];
  var gpc = !!navigator.globalPrivacyControl, now = Date.now();

  function read() {
    var m = ('; ' + d.cookie).match('; ' + KEY + '=([^;]*)'), s = m && m[1];
    try { s = s || localStorage.getItem(KEY); } catch (e) {}
    try { return JSON.parse(decodeURIComponent(s)) || {}; } catch (e) { return {}; }
  }
  function keep(v) {
    var s = encodeURIComponent(JSON.stringify(v));
    if (s.length > COOKIE) { v.utm = {}; s = encodeURIComponent(JSON.stringify(v)); }
    d.cookie = KEY + '=' + s + ';path=/;max-age=' + DAYS * 86400 + ';SameSite=Lax' +
      (location.protocol === 'https:' ? ';Secure' : '');
    try { localStorage.setItem(KEY, s); } catch (e) {}
  }

  /* Names count in any case of letters, and behind an "amp;" of an escaped ampersand. */
  var q = Object.create(null);
  new URLSearchParams(location.search).forEach(function (v, k) {
    k = k.toLowerCase().replace(/^(amp;)+/, '');
    (q[k] = q[k] || []).push(v.trim());
  });
  function one(k) { return (q[k] || [])[0] || ''; }
  function code(v) {
    v = v.replace(/[^A-Za-z0-9]+$/, '');
    return /^[A-Za-z0-9][\w-]{1,62}[A-Za-z0-9]$/.test(v) ? v : '';
  }
  var ref = code(one(NAME)) || code(one('ref'));
  var here = (q.click_id || []).join(',').toLowerCase().split(',')
    .map(function (v) { return v.trim(); })
    .filter(function (v) { return /^click_[0-9a-z]{26}$/.test(v); });
  var utm = {}, hasUTM = false;
  UTM.forEach(function (k) { if (one(k)) { utm[k] = one(k).slice(0, 200); hasUTM = true; } });

  var mem = gpc ? {} : read();
  if (!(now - (mem.at || 0) <= DAYS * 864e5)) mem = {};
  var ids = Array.isArray(mem.ids) ? mem.ids : [];
  here.forEach(function (id) { if (ids.indexOf(id) < 0) ids.push(id); });
  /* The first one, and the last nine. */
  if (ids.length > MAX) ids = [ids[0]].concat(ids.slice(1 - MAX));
  /* A word in an address never replaces what a click left. */
  var takes = ref && (here.length || !mem.click);
  mem = {
    ref: takes ? ref : mem.ref || '', ref_at: takes ? now : mem.ref_at || 0,
    click: here.length > 0 || !!mem.click, ids: ids, utm: hasUTM ? utm : mem.utm || {},
    at: takes || here.length || !mem.at ? now : mem.at
  };
  if (!gpc && (takes || here.length || hasUTM)) keep(mem);

  var values = {
    ref: mem.ref, ref_at: mem.ref && mem.ref_at ? new Date(mem.ref_at).toISOString() : '',
    click_id: ids.join(',')
  };
  UTM.forEach(function (k) { values[k] = mem.utm[k] || ''; });
  function fill(root) {
    Object.keys(values).forEach(function (k) {
      if (!values[k]) return;
      root.querySelectorAll('input[name="' + k + '"]').forEach(function (i) {
        if (!i.value) i.value = values[k];
      });
    });
  }
  function all() { fill(d); }
  if (d.readyState === 'loading') d.addEventListener('DOMContentLoaded', all); else all();
  d.addEventListener('submit', function (e) { fill(e.target); }, true);
  w.referral = {
    ref: values.ref, ref_at: values.ref_at, click_id: ids[ids.length - 1] || '',
    click_ids: ids.slice(), utm: mem.utm
  };
})(window, document);
