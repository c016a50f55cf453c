/* SPDX-License-Identifier: Apache-2.0 */
/* The browsable API page. Its files stand in api/page and are part of the binary; the page reads /api/v2/openapi.json and calls
 * the API with the credentials that its reader types in. It may load and call nothing but this server. */
#include <inttypes.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "api/call.h"
#include "api/tables.h"

/* The assembler copies the file in; API_PAGE_DIR comes from the build. */
#define EMBED(SYMBOL, FILE)                                                                                      \
    __asm__(".pushsection .rodata\n"                                                                             \
            ".global api_page_" #SYMBOL "\n.hidden api_page_" #SYMBOL "\n"                                       \
            ".global api_page_" #SYMBOL "_end\n.hidden api_page_" #SYMBOL "_end\n"                               \
            "api_page_" #SYMBOL ":\n.incbin \"" API_PAGE_DIR "/" FILE "\"\napi_page_" #SYMBOL "_end:\n.byte 0\n" \
            ".popsection\n");                                                                                    \
    extern const char api_page_##SYMBOL[], api_page_##SYMBOL##_end[]

EMBED(index, "index.html");
EMBED(style, "page.css");
EMBED(page, "page.js");
EMBED(call, "call.js");
EMBED(dom, "dom.js");
EMBED(operation, "operation.js");
EMBED(schema, "schema.js");
EMBED(words, "words.js");

#define HTML SLICE("text/html; charset=utf-8")
#define STYLE SLICE("text/css; charset=utf-8")
#define SCRIPT SLICE("text/javascript; charset=utf-8")

static const struct page_file {
    const char *name;
    struct slice type;
    const char *begin, *end;
} files[] = {
    { "", HTML, api_page_index, api_page_index_end },
    { "page.css", STYLE, api_page_style, api_page_style_end },
    { "page.js", SCRIPT, api_page_page, api_page_page_end },
    { "call.js", SCRIPT, api_page_call, api_page_call_end },
    { "dom.js", SCRIPT, api_page_dom, api_page_dom_end },
    { "operation.js", SCRIPT, api_page_operation, api_page_operation_end },
    { "schema.js", SCRIPT, api_page_schema, api_page_schema_end },
    { "words.js", SCRIPT, api_page_words, api_page_words_end },
};

static const struct page_file *find(const char *name)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

static int reply_file(struct call *c, const struct page_file *f, struct err *e)
{
    struct slice body = { f->begin, (size_t)(f->end - f->begin) };
    const char *etag = arena_printf(c->arena, "\"%016" PRIx64 "\"", (uint64_t)XXH3_64bits(body.s, body.n));
    struct http_header headers[] = {
        { SLICE("content-type"), f->type },
        { SLICE("etag"), { etag, etag != NULL ? strlen(etag) : 0 } },
        { SLICE("cache-control"), SLICE("no-cache") },
        { SLICE("content-security-policy"),
          SLICE("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
                "form-action 'none'; frame-ancestors 'none'") },
        { SLICE("x-content-type-options"), SLICE("nosniff") },
        { SLICE("referrer-policy"), SLICE("no-referrer") },
    };
    bool held;

    if (etag == NULL)
        return err_set(e, &ERR_NOMEM, "");
    held = call_holds(c, headers[1].value);
    (void)http_reply(c->rq, held ? 304 : 200, headers, sizeof headers / sizeof *headers, held ? SLICE("") : body,
                     NULL); /* a client that left needs no answer */
    return 0;
}

static int get_index(struct call *c, struct err *e)
{
    return reply_file(c, &files[0], e);
}

static int get_file(struct call *c, struct err *e)
{
    const char *name = call_text(c, "file");
    const struct page_file *f = find(name);

    if (f == NULL) {
        (void)err_set(e, &ERR_NOT_FOUND, "file of the API page");
        return err_arg(e, "%s", name);
    }
    return reply_file(c, f, e);
}

const struct route page_routes[] = {
    ROUTE("api-page", "GET", "/api/v2/docs", PERM_PUBLIC, get_index, REPLY_OWN, ROUTE_OWN,
          "This API as a page for people: reads the description, sends calls.", .tag = "System"),
    ROUTE("api-page-index", "GET", "/api/v2/docs/", PERM_PUBLIC, get_index, REPLY_OWN, ROUTE_OWN, "The same page.", .tag = "System"),
    ROUTE("api-page-file", "GET", "/api/v2/docs/{file}", PERM_PUBLIC, get_file, REPLY_OWN, ROUTE_OWN,
          "Style sheet and scripts of the API page.", .tag = "System"),
    ROUTE_END,
};
