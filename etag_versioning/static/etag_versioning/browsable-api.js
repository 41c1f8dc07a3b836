// Lets the forms of DRF's browsable API send the preconditions of their page.
//
// No module: DRF writes the page that comes back into the same document, where a browser runs
// scripts again, but no module that it has run before.
(function ($) {
  var page = JSON.parse(document.getElementById("etag-versioning").textContent);

  $.ajaxPrefilter(function (options, original, request) {
    if (original.url !== page.url || /^(GET|HEAD|OPTIONS|TRACE)$/i.test(options.type)) {
      return;
    }
    $.each(page.headers, function (name, value) {
      request.setRequestHeader(name, value);
    });
  });

  function show(first, status, last) {
    var request = status === "success" ? last : first;
    if (/^text\/html/i.test(request.getResponseHeader("Content-Type") || "")) {
      replaceDocument(request.responseText); // DRF's
    } else {
      window.location = page.url;
    }
  }

  // DRF leaves the HTML form of POST to the browser, which sends no headers of ours.
  $('form[method="POST"]').on("submit", function (event) {
    var form = $(this);
    if (form.attr("action") !== page.url || form.find("[data-override]").length) {
      return;
    }
    event.preventDefault();
    $.ajax({
      url: page.url,
      method: "POST",
      data: new FormData(this),
      contentType: false,
      processData: false,
      headers: { Accept: "text/html; q=1.0, */*" }
    }).always(show);
  });
})(jQuery);
