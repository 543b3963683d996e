#include "ccrypto.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

// Looking an algorithm up costs more than hashing a short message, so it is done once; contexts are
// kept, one per thread, for as long as the thread lives.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;
static __thread EVP_MD_CTX *digest_context;
static __thread EVP_MAC_CTX *mac_context;

static void fetch(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

int ccrypto_sha256(const void *bytes, size_t length, uint8_t digest[32]) {
    pthread_once(&once, fetch);
    if (digest_context == NULL) digest_context = EVP_MD_CTX_new();
    return sha256 != NULL && digest_context != NULL
        && EVP_DigestInit_ex2(digest_context, sha256, NULL)
        && EVP_DigestUpdate(digest_context, bytes, length)
        && EVP_DigestFinal_ex(digest_context, digest, NULL);
}

// A context that hashes with SHA-256; NULL when there is none.
static EVP_MAC_CTX *new_mac_context(void) {
    EVP_MAC_CTX *context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    if (context != NULL && !EVP_MAC_CTX_set_params(context, parameters)) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

int ccrypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length, uint8_t code[32]) {
    pthread_once(&once, fetch);
    if (mac_context == NULL) mac_context = new_mac_context();
    size_t code_length = 0;
    return mac_context != NULL && EVP_MAC_init(mac_context, key, key_length, NULL)
        && EVP_MAC_update(mac_context, bytes, length)
        && EVP_MAC_final(mac_context, code, &code_length, 32) && code_length == 32;
}

int ccrypto_equal(const void *left, const void *right, size_t length) {
    return CRYPTO_memcmp(left, right, length) == 0;
}

int ccrypto_ed25519_public_key(const uint8_t seed[32], uint8_t public_key[32]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t length = 32;
    int done = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &length) == 1
        && length == 32;
    EVP_PKEY_free(key);
    return done;
}

int ccrypto_ed25519_sign(const uint8_t seed[32], const void *bytes, size_t length, uint8_t signature[64]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t signature_length = 64;
    int done = key != NULL && context != NULL
        && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestSign(context, signature, &signature_length, bytes, length) == 1
        && signature_length == 64;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return done;
}

int ccrypto_ed25519_verify(const uint8_t public_key[32], const void *bytes, size_t length, const uint8_t signature[64]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int holds = key != NULL && context != NULL
        && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestVerify(context, signature, 64, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return holds;
}
